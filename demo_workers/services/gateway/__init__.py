"""The HTTP gateway: it lets jobs in or says no, and writes down which.

``python -m demo_workers.services.gateway`` is the process; ``app`` routes, ``posting`` decides, ``following`` hears
what workers announce, ``record`` writes it down, ``http_server`` and ``http_protocol`` keep the door within bounds.
"""
