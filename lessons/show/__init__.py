"""What a person sees: the live panel, its figures, and the sentence that says the same in words."""
