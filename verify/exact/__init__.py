"""Every pair decided in exact arithmetic, and the same answers in float32."""
