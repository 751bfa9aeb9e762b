"""Who gets in: orders, limits, refusals, and the script that decides for all who come together."""
