"""The law, as data: rows with source and date, the convention, and the clocks that run by them."""
