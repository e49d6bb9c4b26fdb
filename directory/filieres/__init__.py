"""Groups of members by trade or by sector: why they exist, their stage, who runs them."""
