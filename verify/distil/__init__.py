"""From the neurons of a network to programs that give its answers."""
