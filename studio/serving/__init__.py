"""How the web process shares its threads and connections among clients, slow ones included."""
