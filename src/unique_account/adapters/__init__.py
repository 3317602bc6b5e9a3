"""What plugs the ports into the world: one module or package for each foreign thing, named after it."""
