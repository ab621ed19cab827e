"""A model run on pictures: media, model files, library, engine, silhouettes, output. No torch, no Qt."""
