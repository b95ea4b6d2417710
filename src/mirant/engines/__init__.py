"""Where messages go between publisher and subscribers, and what the processes of one bus share."""
