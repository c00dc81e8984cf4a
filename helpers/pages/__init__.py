"""What one page of the series shows: its tables as text, its sentences, captions, alt texts."""
