"""The operators' first page: who arrives in the next 36 hours and how far each way in is proven; who leaves."""
