"""From definitions to rows: measures and sources in, figures per period and member out."""
