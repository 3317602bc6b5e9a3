"""What the CTI server stores in one SQLite file: sessions and preferences."""
