"""Money of clients: payments in, invoices, and what comes back."""
