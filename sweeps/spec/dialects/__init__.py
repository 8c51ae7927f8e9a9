"""Search definitions of other tools, told apart by their keys, as sweep-job documents."""
