{{ select_input('campaign_contacts') }}
