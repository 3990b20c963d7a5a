"""The tests: ``house`` holds the walls up, the other folders mirror the rooms they test."""
