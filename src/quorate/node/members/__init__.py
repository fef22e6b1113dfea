"""Who is in the group: invitations, changes and their votes, the epochs that follow."""
