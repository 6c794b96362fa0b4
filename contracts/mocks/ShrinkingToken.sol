// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title ShrinkingToken
/// @notice A token that keeps a tenth of whatever moves, and whose balances may be cut in half or doubled.
contract ShrinkingToken is ERC20 {
    constructor(address holder, uint256 supply) ERC20("Shrinking", "SH") {
        _mint(holder, supply);
    }

    function halve(address account) external {
        _burn(account, balanceOf(account) / 2);
    }

    function double(address account) external {
        _mint(account, balanceOf(account));
    }

    function _update(address from, address to, uint256 value) internal override {
        bool isTransfer = from != address(0) && to != address(0);
        uint256 tax = isTransfer ? value / 10 : 0;
        super._update(from, to, value - tax);
        if (tax > 0) super._update(from, address(0), tax);
    }
}
