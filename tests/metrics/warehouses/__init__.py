"""The pages of warehouses: who may, what is kept secret, where a connection may lead, and that none waits."""
