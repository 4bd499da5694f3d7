"""What work is paid: time, tariff, quote, ledger, settlement, payouts."""
