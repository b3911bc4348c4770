-- depends_on: {{ source('warehouse', 'campaign_contacts') }}
{{ read_data_file() }}
