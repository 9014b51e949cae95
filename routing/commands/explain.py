"""D: `gateway explain METHOD URL`: which route takes a request and why, and which did not; sends nothing."""
