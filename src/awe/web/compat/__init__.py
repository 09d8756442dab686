"""Faces for the clients of other systems: translate, one service call, translate back."""
