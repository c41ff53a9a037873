"""What venues send: replies with positions, replies with tiers, and the numbers printed in them."""
