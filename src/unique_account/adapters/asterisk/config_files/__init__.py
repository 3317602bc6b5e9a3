"""What is rendered for an administrator to include: dialplan, phones, and who may manage."""
