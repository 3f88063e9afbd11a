"""Filipino: Django has no names of months for it, so numbers, in the order that is mistaken for no other."""

DATE_FORMAT = "Y-m-d"
