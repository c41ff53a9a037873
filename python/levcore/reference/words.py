"""Words of rules, as compiled policies have them."""

AT_PRICE = "price"
AT_ENTRY = "entry"
AT_BANKRUPTCY = "bankruptcy"
FEE_AT_PRICE = "price"
FEE_AT_MARK = "mark"
FEE_AT_BANKRUPTCY = "bankruptcy"
FEE_ON_ENTRY_AND_MARGIN = "entry_and_margin"
FEE_A_CONTRACT = "contract"
NEED_LEVERAGE = (FEE_AT_BANKRUPTCY, FEE_ON_ENTRY_AND_MARGIN)
BY_RISK_LIMIT = "risk_limit"
BY_CONTRACTS = "contracts"
