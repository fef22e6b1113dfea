"""The age file format, as far as a group needs it to seal and to unlock [AgeFormat24].

Sealed files are ordinary age files: the stock program seals and opens them, with
our plugin. The header and the plugin's conversation come from strangers.
"""
