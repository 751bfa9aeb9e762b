"""The load generator: a process of its own in which every virtual client keeps to its schedule, whatever happens.

``python -m demo_workers.services.clients`` reads its configuration and its commands from standard input.
"""
