"""The staff that may use this member's console: by which passkeys, and what each asked for."""
