"""The system under study: a real broker, gateway, workers and clients, and the record of what they did."""
