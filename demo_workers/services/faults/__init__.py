"""What is broken on purpose: a slow network, a frozen process, a power cut."""
