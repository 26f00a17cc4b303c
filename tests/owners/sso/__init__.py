"""Single sign-on, against an OpenID Connect server over real HTTP: who comes in, as whom, and who not."""
