"""The flow view: requests or messages as dots that move through clients, gateway, queue and workers."""
