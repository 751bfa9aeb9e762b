"""What teaches the system: theory, twin, pictures, checks, and one small facade per chapter."""
