"""Campaigns: many runs that answer one question, and what they say together."""

from carbonopt.campaign.crew import run_campaign
from carbonopt.campaign.plan import Campaign, Cell, Share
from carbonopt.campaign.store import CampaignStore

__all__ = ["Campaign", "CampaignStore", "Cell", "Share", "run_campaign"]
