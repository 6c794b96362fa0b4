// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IAdmin} from "../interfaces/IAdmin.sol";
import {Category} from "../types/Deals.sol";
import {Deals} from "./Deals.sol";
import {Delegation} from "./Delegation.sol";
import {Multicall} from "./Multicall.sol";
import {Ownership} from "./Ownership.sol";
import {Tasks} from "./Tasks.sol";

/// @title HubCore: a Hub, whatever its escrow holds
/// @notice What it does not answer itself, HubOffice answers with its state.
abstract contract HubCore is Deals, Tasks, Multicall, Ownership, Delegation {
    address internal immutable OFFICE;

    /// @param office Of the same configuration: a Hub trusts its code for ever.
    constructor(IAdmin.Config memory config, Category[] memory categories, address office) {
        OFFICE = _deployed(office);
        _vault.nonce = FIRST_BLOB;
        _settings.callbackGas = uint96(DEFAULT_CALLBACK_GAS);
        _setOwner(config.owner);
        _setTeeBroker(config.teeBroker);
        for (uint256 i = 0; i < categories.length; ++i) {
            _addCategory(categories[i]);
        }
    }
}
