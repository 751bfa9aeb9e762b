"""Servers of the reader's own: Redis, RabbitMQ, and what behaves like SQS."""
