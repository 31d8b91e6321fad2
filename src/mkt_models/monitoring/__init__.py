"""What has changed since a release, and whether it is an alarm: plain tables in and out."""
