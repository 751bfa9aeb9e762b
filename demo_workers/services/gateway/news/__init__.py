"""What clients are told of a job afterwards, by looking, waiting or listening."""
