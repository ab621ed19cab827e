"""Files written of a result: label PNG, silhouettes, overlay, COCO JSON, CSV, alpha video."""
