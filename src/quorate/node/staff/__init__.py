"""Who of this member's own staff may use its console, by which passkeys, and what each asked for."""
