"""What happens to accounts: signing in, passwords, sessions, invitations, administration."""
