"""Statistical models on secret numbers, each beside a plain oracle of the same."""
