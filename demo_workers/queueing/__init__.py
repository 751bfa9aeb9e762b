"""RQ with a limit: the bounded enqueue, the tasks, the worker and its announcements."""
