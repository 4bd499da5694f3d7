"""Who may work and who may decide alone, on which blind evidence, and when that ends."""
