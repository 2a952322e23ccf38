"""The page that predicts in the browser, without a server: its sources, and what fills them with a bundle."""
