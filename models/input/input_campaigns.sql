{{ select_input('campaigns') }}
