"""The statistics a study can name, one file each; `kinds` lists them and is their way in."""
