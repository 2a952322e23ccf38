"""Painting dermoscopic images: brushes, the structures made with them, whole lesions, and photographs of those."""
