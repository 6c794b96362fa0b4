// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20PermitUpgradeable} from "@openzeppelin/contracts-upgradeable/token/ERC20/extensions/ERC20PermitUpgradeable.sol";
import {ERC20BurnableUpgradeable} from "@openzeppelin/contracts-upgradeable/token/ERC20/extensions/ERC20BurnableUpgradeable.sol";
import {ILocalToken} from "../interfaces/ILocalToken.sol";
import {ITokenSpender} from "../interfaces/ITokenSpender.sol";

/// @title LocalToken
/// @notice The currency of a local network. Real networks name an existing token instead.
/// @dev Not upgradeable: the upgradeable base is here for its storage layout. Tools that fund accounts by writing storage
/// expect balances in OpenZeppelin's namespaced ERC-20 slot.
contract LocalToken is ERC20PermitUpgradeable, ERC20BurnableUpgradeable, ILocalToken {
    /// @inheritdoc ILocalToken
    uint256 public immutable initialSupply;

    constructor(address holder, uint256 supply) initializer {
        __ERC20_init("Local RLC", "RLC");
        __ERC20Permit_init("Local RLC");
        initialSupply = supply;
        _mint(holder, supply);
    }

    /// @inheritdoc ILocalToken
    function approveAndCall(address spender, uint256 value, bytes calldata data) external returns (bool) {
        approve(spender, value);
        bool accepted = ITokenSpender(spender).receiveApproval(msg.sender, value, address(this), data);
        require(accepted, ApprovalRefused(spender));
        return true;
    }

    /// @notice One token is 10^9 of the units that every amount is given in.
    function decimals() public pure override returns (uint8) {
        return 9;
    }
}
