"""Bills under a resolution: settled with the insurer, paid by WeChat or at the window, refunded, reconciled."""
